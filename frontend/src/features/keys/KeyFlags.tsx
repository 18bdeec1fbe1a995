import type { KeyFlag } from './flags';
import { FLAG_WORDS, FLAGS } from './flags';
import { Segments } from '@/ui/Segments';
import { StatusPill } from '@/ui/StatusPill';

/** Beside a key's status: what an administrator should look at. "Expires soon" stands in the status itself. */
export const KeyFlags = ({ flags }: { flags: readonly KeyFlag[] }) =>
  flags
    .filter((it) => it !== 'expiring')
    .map((it) => (
      <StatusPill key={it} tone={FLAG_WORDS[it].tone}>
        {FLAG_WORDS[it].word}
      </StatusPill>
    ));

interface FlagFilterProps {
  value: KeyFlag | undefined;
  onChange: (flag: KeyFlag | undefined) => void;
}

/** Which keys to list. */
export const FlagFilter = ({ value, onChange }: FlagFilterProps) => (
  <Segments
    label="Which keys"
    value={value ?? 'all'}
    options={[{ value: 'all', label: 'All' }, ...FLAGS.map((it) => ({ value: it, label: FLAG_WORDS[it].word }))]}
    onChange={(it) => onChange(it === 'all' ? undefined : it)}
  />
);
