import { datatypeWords, type TensorSpec } from '@/lib/tensors';

/** An input's name and what it takes. */
export const InputLabel = ({ spec, note }: { spec: TensorSpec; note: string }) => (
  <>
    <span className="break-words">{spec.name}</span>{' '}
    <span className="font-normal text-subtle" title={datatypeWords(spec.datatype)}>
      {note}
    </span>
  </>
);
