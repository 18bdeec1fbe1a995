import { useInfiniteQuery } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';

import { modelsQuery } from '@/api/models';
import { ApiError, messageOf } from '@/api/problem';
import type { Model, ModelVersion } from '@/api/types';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Select } from '@/ui/Field';
import { FilePicker } from '@/ui/FilePicker';
import { UploadProgress } from '@/ui/UploadProgress';

import { refusalOf, suggestName } from './fileName';
import { type Destination, useUpload } from './useUpload';

interface UploadDialogProps {
  projectId: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** What was dropped or chosen so far; more than one file is refused in words. */
  files: readonly File[];
  onFiles: (files: readonly File[]) => void;
  /** The model that gets the version; absent, the person chooses or makes one. */
  model?: Model;
  onDone: (version: ModelVersion) => void;
}

const NEW = '';

export function UploadDialog({ open, onOpenChange, ...rest }: UploadDialogProps) {
  const [busy, setBusy] = useState(false);
  const { model } = rest;
  return (
    <Dialog open={open} onOpenChange={onOpenChange} dismissible={!busy} title={model ? `Upload a new version of ${model.name}` : 'Upload a model'}>
      <UploadForm close={() => onOpenChange(false)} onBusy={setBusy} {...rest} />
    </Dialog>
  );
}

interface UploadFormProps extends Omit<UploadDialogProps, 'open' | 'onOpenChange'> {
  close: () => void;
  onBusy: (busy: boolean) => void;
}

function UploadForm({ projectId, files, onFiles, model, onDone, close, onBusy }: UploadFormProps) {
  const [modelId, setModelId] = useState(model?.id ?? NEW);
  const [typedName, setTypedName] = useState<string | null>(null);
  const upload = useUpload(projectId, (version) => {
    onBusy(false);
    onDone(version);
  });
  // Leaving the page would end the upload: ask first.
  useBlocker({
    shouldBlockFn: () => upload.isUnderWay() && !window.confirm('The upload is not finished. Leave this page and cancel it?'),
    enableBeforeUnload: upload.isUnderWay,
  });
  const [file = null] = files;
  const refusal = files.length > 0 ? refusalOf(files) : null;
  const name = typedName ?? (file ? suggestName(file.name) : '');
  const destination: Destination = modelId === NEW ? { kind: 'new', name } : { kind: 'existing', modelId };
  const isNameTaken = modelId === NEW && upload.error instanceof ApiError && upload.error.status === 409;
  const ready = file !== null && refusal === null && (modelId !== NEW || name.trim() !== '');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    onBusy(true);
    upload.start({ file, destination }, { onError: () => onBusy(false) });
  };
  const choose = (chosen: readonly File[]) => {
    upload.reset();
    onFiles(chosen);
  };

  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {upload.progress ? (
        <UploadProgress progress={upload.progress} what="model" />
      ) : (
        <>
          <FilePicker what="an ONNX file" accept=".onnx" file={refusal ? null : file} refusal={refusal} onFiles={choose} />
          {!model && <ModelChoice projectId={projectId} value={modelId} onChange={setModelId} />}
          {modelId === NEW && (
            <Field label="Model name" error={isNameTaken ? messageOf(upload.error) : undefined} hint="What the model is called in this project.">
              {(control) => <Input {...control} value={name} maxLength={64} autoComplete="off" spellCheck={false} onChange={(event) => setTypedName(event.target.value)} />}
            </Field>
          )}
          <FormProblem message={upload.error && !isNameTaken ? refusedWords(upload.error) : undefined} />
        </>
      )}
      <DialogActions>
        {upload.isUploading ? (
          <Button onClick={upload.cancel}>Cancel upload</Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={!ready}>
              Upload
            </Button>
          </>
        )}
      </DialogActions>
    </form>
  );
}

/** The server's reason as it stands: it names the failing node or byte. */
const refusedWords = (error: Error): string => (error instanceof ApiError && !error.isUnreachable ? `Not accepted: ${messageOf(error)}` : messageOf(error));

function ModelChoice({ projectId, value, onChange }: { projectId: string; value: string; onChange: (modelId: string) => void }) {
  const { data: models } = useInfiniteQuery(modelsQuery(projectId));
  if (!models?.length) return null;
  return (
    <Field label="Upload as">
      {(control) => (
        <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value={NEW}>A new model</option>
          <optgroup label="New version of">
            {models.map((it) => (
              <option key={it.id} value={it.id}>
                {it.name}
              </option>
            ))}
          </optgroup>
        </Select>
      )}
    </Field>
  );
}
