import { FileBox, Upload } from 'lucide-react';
import { type ComponentProps, useId } from 'react';

import { formatBytes } from '@/lib/format';

interface FilePickerProps {
  /** What is to be chosen: "an ONNX file". */
  what: string;
  /** Endings that the system's dialog offers: ".onnx". */
  accept: string;
  file: File | null;
  refusal: string | null;
  onFiles: (files: readonly File[]) => void;
}

/** The chosen file, or the way to choose one: the same for a mouse, a keyboard and a dropped file. */
export function FilePicker({ what, accept, file, refusal, onFiles }: FilePickerProps) {
  const id = useId();
  const input: ComponentProps<'input'> = {
    id,
    type: 'file',
    accept,
    className: 'peer sr-only',
    'aria-describedby': refusal ? `${id}-refusal` : undefined,
    onChange: ({ target }) => {
      if (target.files?.length) onFiles([...target.files]);
      // Choosing the same file again, mended meanwhile, must count as a change.
      target.value = '';
    },
  };
  return (
    <div className="flex flex-col gap-1.5">
      <input {...input} />
      <label
        htmlFor={id}
        className="flex items-center gap-3 rounded-card border border-dashed border-border-strong px-4 py-4 text-body peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent hover:bg-sunken"
      >
        {file ? <Chosen file={file} /> : <Choose what={what} />}
      </label>
      {refusal && (
        <p id={`${id}-refusal`} role="alert" className="text-caption text-danger">
          {refusal}
        </p>
      )}
    </div>
  );
}

const Choose = ({ what }: { what: string }) => (
  <>
    <Upload aria-hidden className="size-5 shrink-0 text-accent" />
    <span>
      <span className="text-label text-accent">Choose {what}</span> <span className="text-muted">or drop it anywhere on this page</span>
    </span>
  </>
);

const Chosen = ({ file }: { file: File }) => (
  <>
    <FileBox aria-hidden className="size-5 shrink-0 text-accent" />
    <span className="flex min-w-0 flex-1 flex-col">
      <span className="truncate text-label">{file.name}</span>
      <span className="text-caption text-subtle">{formatBytes(file.size)}</span>
    </span>
    <span className="text-label text-accent">Change file</span>
  </>
);
