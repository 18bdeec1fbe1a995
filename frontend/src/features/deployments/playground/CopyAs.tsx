import { ClipboardCopy } from 'lucide-react';

import { useSystem } from '@/api/system';
import { Button } from '@/ui/Button';
import { copyText } from '@/ui/CopyButton';
import { Menu, MenuItem } from '@/ui/Menu';
import { toast } from '@/ui/toast';

import { LANGUAGES, SNIPPETS, type SnippetLanguage, targetOf } from '../snippets';
import type { InferRequest } from './form';

/** The request of the form as code that makes the same call from outside. */
export function CopyAs({ deployment, request }: { deployment: string; request: () => InferRequest | null }) {
  const { data: system } = useSystem();
  const copy = async (language: SnippetLanguage) => {
    const now = request();
    if (!system || !now) return toast.error('Fill in a complete request first.');
    const done = await copyText(SNIPPETS[language].write(targetOf(system.inference_url, deployment), now));
    if (done) toast.success(`Copied as ${SNIPPETS[language].label}`);
    else toast.error('The browser did not allow copying. The Code tab has the same.');
  };
  return (
    <Menu
      trigger={
        <Button variant="ghost" icon={<ClipboardCopy aria-hidden />}>
          Copy as
        </Button>
      }
    >
      {LANGUAGES.map((it) => (
        <MenuItem key={it} onSelect={() => void copy(it)}>
          {SNIPPETS[it].label}
        </MenuItem>
      ))}
    </Menu>
  );
}
