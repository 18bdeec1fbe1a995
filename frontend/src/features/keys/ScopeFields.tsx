import type { UseFormRegisterReturn } from 'react-hook-form';

import { Checkbox } from '@/ui/Field';
import { Loaded } from '@/ui/Loaded';

import { useScopes } from './queries';

interface ScopeFieldsProps {
  /** What the form registered the chosen scopes as. */
  field: UseFormRegisterReturn;
  error: string | undefined;
}

/** What a key may do: every scope there is, with the server's sentence for it. */
export const ScopeFields = ({ field, error }: ScopeFieldsProps) => (
  <fieldset className="flex flex-col gap-2">
    <legend className="mb-1.5 text-label">The key may</legend>
    <Loaded query={useScopes()}>
      {(scopes) => (
        <div className="grid gap-x-4 gap-y-2.5 sm:grid-cols-2">
          {scopes.map(({ name, sentence }) => (
            <Checkbox key={name} label={<code className="font-mono">{name}</code>} hint={sentence} value={name} {...field} />
          ))}
        </div>
      )}
    </Loaded>
    {error && (
      <p role="alert" className="text-caption text-danger">
        {error}
      </p>
    )}
  </fieldset>
);
