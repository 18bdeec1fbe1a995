import { FileUp, Rows3, Type, X } from 'lucide-react';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';

import { messageOf } from '@/api/problem';
import { classes } from '@/lib/classes';
import { shapeText, type TensorSpec } from '@/lib/tensors';
import { Button } from '@/ui/Button';
import { Field, Textarea } from '@/ui/Field';

import { attachPicture } from './attachPicture';
import type { Attachment } from './form';
import { cellsOf, gridWidth, textOf } from './grid';
import { imageLayoutOf } from './image';
import { InputLabel } from './InputLabel';
import { PictureView } from './PictureView';
import { submitByKey } from './submitByKey';
import { TensorGrid } from './TensorGrid';
import { parseTensor } from './tensorText';

interface TensorFieldProps {
  spec: TensorSpec;
  text: string;
  attached: Attachment | undefined;
  fault: string | undefined;
  onText: (text: string) => void;
  onAttach: (attached: Attachment | undefined) => void;
}

/** A whole tensor: typed as text or in a grid, or dropped as a picture or a CSV file. */
export function TensorField(props: TensorFieldProps) {
  const { spec, attached, onText, onAttach } = props;
  const [problem, setProblem] = useState<string>();
  const image = imageLayoutOf(spec);
  const take = async (file: File) => {
    setProblem(undefined);
    try {
      if (image) onAttach(await attachPicture(spec, { file, scale: 'unit', fit: 'crop' }, file.name));
      else onText(await file.text());
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  if (attached) return <Attached {...props} attached={attached} />;
  return (
    <DropZone onFile={(file) => void take(file)}>
      <Typed {...props} fault={problem ?? props.fault} />
      <ChooseFile label={image ? 'Choose a picture' : 'Choose a CSV file'} accept={image ? 'image/*' : '.csv,.tsv,.txt,.json,text/*'} of={spec.name} onFile={(file) => void take(file)} />
    </DropZone>
  );
}

function Typed({ spec, text, fault, onText }: TensorFieldProps) {
  const width = gridWidth(spec);
  const cells = width > 0 ? cellsOf(text, width) : null;
  const [asText, setAsText] = useState(false);
  if (!cells || asText) {
    return (
      <>
        <AsText spec={spec} text={text} fault={fault} onText={onText} />
        {cells && <ViewButton isGrid={false} of={spec.name} onClick={() => setAsText(false)} />}
      </>
    );
  }
  return (
    <>
      <TensorGrid spec={spec} cells={cells} fault={fault} onChange={(next) => onText(textOf(next))} />
      <ViewButton isGrid of={spec.name} onClick={() => setAsText(true)} />
    </>
  );
}

const ViewButton = ({ isGrid, of, onClick }: { isGrid: boolean; of: string; onClick: () => void }) => (
  <Button size="small" variant="ghost" icon={isGrid ? <Type aria-hidden /> : <Rows3 aria-hidden />} aria-label={isGrid ? `Type ${of} as text` : `Type ${of} in a grid`} onClick={onClick}>
    {isGrid ? 'As text' : 'As grid'}
  </Button>
);

function AsText({ spec, text, fault, onText }: Pick<TensorFieldProps, 'spec' | 'text' | 'fault' | 'onText'>) {
  const parsed = parseTensor(spec, text);
  const hint = parsed.ok ? `Reads as ${shapeText(parsed.value.shape)}` : 'Comma-separated values, one line for each row, or JSON lists';
  return (
    <div className="w-full">
      <Field label={<InputLabel spec={spec} note={`${spec.datatype}, ${shapeText(spec.shape)}`} />} hint={hint} error={fault}>
        {(control) => <Textarea {...control} value={text} spellCheck={false} rows={6} className="font-mono text-code!" onKeyDown={submitByKey} onChange={(event) => onText(event.target.value)} />}
      </Field>
    </div>
  );
}

function Attached({ spec, attached, onAttach }: TensorFieldProps & { attached: Attachment }) {
  return (
    <section aria-label={spec.name} className="flex flex-col gap-1.5">
      <p className="text-label">
        <InputLabel spec={spec} note={`${spec.datatype}, ${shapeText(attached.tensor.shape)}`} />
      </p>
      <div className="flex flex-wrap items-start gap-3 rounded-control border border-border p-3">
        {attached.picture ? <PictureView spec={spec} attached={attached} picture={attached.picture} onAttach={onAttach} /> : <p className="min-w-0 flex-1 text-body text-muted">{attached.label}</p>}
        <Button size="small" variant="ghost" icon={<X aria-hidden />} aria-label={`Remove what is in ${spec.name}`} className="ml-auto" onClick={() => onAttach(undefined)}>
          Remove
        </Button>
      </div>
    </section>
  );
}

function DropZone({ onFile, children }: { onFile: (file: File) => void; children: ReactNode }) {
  const [isOver, setIsOver] = useState(false);
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    setIsOver(true);
  };
  const dropped = (event: DragEvent) => {
    setIsOver(false);
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    onFile(file);
  };
  return (
    // Dropping is for the mouse; the button inside does the same for everyone.
    <div onDragOver={over} onDragLeave={() => setIsOver(false)} onDrop={dropped} className={classes('flex flex-wrap items-start gap-1 rounded-control', isOver && 'outline-2 outline-offset-4 outline-accent outline-dashed')}>
      {children}
    </div>
  );
}

interface ChooseFileProps {
  label: string;
  accept: string;
  of: string;
  onFile: (file: File) => void;
}

function ChooseFile({ label, accept, of, onFile }: ChooseFileProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept={accept}
        aria-label={`${label} for ${of}`}
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) onFile(file);
          event.target.value = '';
        }}
      />
      <Button size="small" variant="ghost" icon={<FileUp aria-hidden />} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <span className="self-center text-caption text-subtle">or drop it here</span>
    </>
  );
}
