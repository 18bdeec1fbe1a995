import { useCallback, useState } from 'react';

import { messageOf } from '@/api/problem';
import { shapeText, type TensorSpec } from '@/lib/tensors';
import { Field, FormProblem, Select } from '@/ui/Field';

import { attachPicture } from './attachPicture';
import type { Attachment, Picture } from './form';
import { FITS, SCALES } from './image';

interface PictureViewProps {
  spec: TensorSpec;
  attached: Attachment;
  picture: Picture;
  onAttach: (attached: Attachment) => void;
}

/** A picture that became a tensor, and how. */
export function PictureView({ spec, attached, picture, onAttach }: PictureViewProps) {
  const [problem, setProblem] = useState<string>();
  const again = (change: Partial<Pick<Picture, 'scale' | 'fit'>>) => {
    attachPicture(spec, { ...picture, ...change }, attached.label).then(onAttach, (error: unknown) => setProblem(messageOf(error)));
  };
  return (
    <>
      <Preview file={picture.file} name={attached.label} />
      <div className="flex min-w-40 flex-1 flex-col gap-3">
        <p className="text-body break-words">
          {attached.label} <span className="text-subtle">as {shapeText(attached.tensor.shape)}</span>
        </p>
        <div className="grid grid-cols-[repeat(auto-fit,minmax(7rem,1fr))] gap-3">
          {spec.datatype !== 'UINT8' && <Chosen label="Values" options={SCALES} value={picture.scale} onChange={(scale) => again({ scale })} />}
          <Chosen label="Proportions" options={FITS} value={picture.fit} onChange={(fit) => again({ fit })} />
        </div>
        <FormProblem message={problem} />
      </div>
    </>
  );
}

interface ChosenProps<Value extends string> {
  label: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
}

function Chosen<Value extends string>({ label, options, value, onChange }: ChosenProps<Value>) {
  const choose = (text: string) => {
    const chosen = options.find((it) => it.value === text);
    if (chosen) onChange(chosen.value);
  };
  return (
    <Field label={label}>
      {(control) => (
        <Select {...control} value={value} onChange={(event) => choose(event.target.value)}>
          {options.map((it) => (
            <option key={it.value} value={it.value}>
              {it.label}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

function Preview({ file, name }: { file: Blob; name: string }) {
  const show = useCallback(
    (image: HTMLImageElement | null) => {
      if (!image) return;
      const url = URL.createObjectURL(file);
      image.src = url;
      return () => URL.revokeObjectURL(url);
    },
    [file],
  );
  return <img ref={show} alt={name} className="size-24 rounded-control border border-border bg-sunken object-contain" />;
}
