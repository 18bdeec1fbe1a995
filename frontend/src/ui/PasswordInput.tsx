import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, useState } from 'react';

import { IconButton } from './Button';
import { Input } from './Field';

/** A password that its typist may look at. */
export function PasswordInput(props: ComponentProps<'input'>) {
  const [shown, setShown] = useState(false);
  return (
    <div className="relative">
      <Input {...props} type={shown ? 'text' : 'password'} className="pr-9" spellCheck={false} autoCapitalize="none" />
      <IconButton
        size="small"
        label={shown ? 'Hide password' : 'Show password'}
        icon={shown ? <EyeOff /> : <Eye />}
        className="absolute top-0.5 right-0.5 w-7"
        onClick={() => setShown(!shown)}
      />
    </div>
  );
}
