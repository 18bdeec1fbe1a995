import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBlocker, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';

import { everyDeploymentQuery } from '@/api/deployments';
import { messageOf } from '@/api/problem';
import { useProject } from '@/api/projects';
import type { Deployment, ModelVersion } from '@/api/types';
import { plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Select } from '@/ui/Field';
import { FilePicker } from '@/ui/FilePicker';
import { type Progress, UploadProgress } from '@/ui/UploadProgress';

import { expectedColumns } from './columns';
import { batchJobKeys, createBatchJob } from './queries';

const ENDINGS = '.csv,.jsonl,.ndjson,.parquet,.pq';

interface NewJobDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** What was dropped or chosen so far; more than one file is refused in words. */
  files: readonly File[];
  onFiles: (files: readonly File[]) => void;
}

export function NewJobDialog({ open, onOpenChange, ...rest }: NewJobDialogProps) {
  const [busy, setBusy] = useState(false);
  return (
    <Dialog open={open} onOpenChange={onOpenChange} dismissible={!busy} title="New batch job">
      <NewJobForm close={() => onOpenChange(false)} onBusy={setBusy} {...rest} />
    </Dialog>
  );
}

interface NewJobFormProps extends Omit<NewJobDialogProps, 'open' | 'onOpenChange'> {
  close: () => void;
  onBusy: (busy: boolean) => void;
}

function NewJobForm({ files, onFiles, close, onBusy }: NewJobFormProps) {
  const project = useProject();
  const navigate = useNavigate();
  const { data: deployments = [], isSuccess, error } = useQuery(everyDeploymentQuery(project.id));
  const [chosenId, setChosenId] = useState<string | null>(null);
  const deployment = deployments.find((it) => it.id === chosenId) ?? deployments[0];
  const [file = null] = files;
  const refusal = files.length > 0 ? refusalOf(files) : null;
  const sending = useSending(project.id, (jobId) => {
    onBusy(false);
    void navigate({ to: '/o/$org/p/$project/batch-jobs/$job', params: { org: project.organization_slug, project: project.slug, job: jobId } });
  });
  const fault = sending.error ?? error;
  const choose = (chosen: readonly File[]) => {
    sending.reset();
    onFiles(chosen);
  };
  const chooseDeployment = (id: string) => {
    sending.reset();
    setChosenId(id);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!file || refusal || !deployment) return;
    onBusy(true);
    sending.start({ file, deploymentId: deployment.id }, { onError: () => onBusy(false) });
  };
  if (isSuccess && !deployment) return <NothingDeployed close={close} />;
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {sending.progress ? (
        <UploadProgress progress={sending.progress} what="file" />
      ) : (
        <>
          <DeploymentChoice deployments={deployments} value={deployment?.id ?? ''} onChange={chooseDeployment} />
          <FilePicker what="a CSV, JSON lines or Parquet file" accept={ENDINGS} file={refusal ? null : file} refusal={refusal} onFiles={choose} />
          {deployment && <Expected version={deployment.revision.model_version} />}
          <FormProblem message={fault ? messageOf(fault) : undefined} />
        </>
      )}
      <DialogActions>
        <Button onClick={sending.progress ? sending.cancel : close}>{sending.progress ? 'Cancel upload' : 'Cancel'}</Button>
        {!sending.progress && (
          <Button type="submit" variant="primary" disabled={!file || refusal !== null || !deployment}>
            Start job
          </Button>
        )}
      </DialogActions>
    </form>
  );
}

/** Sends the file, tells how far it is, and ends it when asked or when its component goes. */
function useSending(projectId: string, onDone: (jobId: string) => void) {
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const controller = useRef<AbortController>(null);
  const sending = useMutation({
    mutationFn: ({ file, deploymentId }: { file: File; deploymentId: string }) => {
      const { signal } = (controller.current = new AbortController());
      const startedAt = Date.now();
      const onProgress = (sent: number) => setProgress({ sent, total: file.size, startedAt, now: Date.now() });
      onProgress(0);
      return createBatchJob(projectId, deploymentId, file, { onProgress, signal }).finally(() => {
        controller.current = null;
      });
    },
    onSuccess: ({ id }) => onDone(id),
    onSettled: () => {
      setProgress(null);
      void queryClient.invalidateQueries({ queryKey: batchJobKeys.list(projectId) });
    },
  });
  useEffect(() => () => controller.current?.abort(), []);
  // Leaving the page would end the upload: ask first.
  useBlocker({
    shouldBlockFn: () => controller.current !== null && !window.confirm('The upload is not finished. Leave this page and cancel it?'),
    enableBeforeUnload: () => controller.current !== null,
  });
  const cancelled = sending.error instanceof DOMException && sending.error.name === 'AbortError';
  return { start: sending.mutate, reset: sending.reset, cancel: () => controller.current?.abort(), progress, error: cancelled ? null : sending.error };
}

function refusalOf(files: readonly File[]): string | null {
  const [file, ...others] = files;
  if (!file) return null;
  if (others.length > 0) return `You chose ${plural(files.length, 'file')}. Each file is a job of its own: please start them one after another.`;
  if (!ENDINGS.split(',').some((ending) => file.name.toLowerCase().endsWith(ending))) return `“${file.name}” is none of the formats that can be read: ${ENDINGS.replaceAll(',', ', ')}.`;
  return file.size === 0 ? `“${file.name}” is empty.` : null;
}

const DeploymentChoice = ({ deployments, value, onChange }: { deployments: readonly Deployment[]; value: string; onChange: (id: string) => void }) => (
  <Field label="Deployment" hint="The model version it serves now predicts all rows.">
    {(control) => (
      <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
        {deployments.map((it) => (
          <option key={it.id} value={it.id}>
            {it.name} ({it.revision.model_version.model_name} v{it.revision.model_version.number})
          </option>
        ))}
      </Select>
    )}
  </Field>
);

function Expected({ version }: { version: ModelVersion }) {
  const { columns, example } = expectedColumns(version);
  return (
    <section aria-label="Expected columns" className="flex flex-col gap-2 rounded-control bg-sunken px-3 py-2.5">
      <h3 className="text-caption text-muted">Columns the model needs; others are kept as they are</h3>
      <dl className="grid max-h-32 grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 overflow-y-auto text-caption">
        {columns.map(({ name, holds }) => (
          <div key={name} className="contents">
            <dt className="font-mono break-all">{name}</dt>
            <dd className="text-subtle">{holds}</dd>
          </div>
        ))}
      </dl>
      <p className="text-caption text-subtle">
        A CSV file begins with <code className="font-mono break-all text-text">{example}</code>
      </p>
    </section>
  );
}

const NothingDeployed = ({ close }: { close: () => void }) => (
  <>
    <p className="text-body text-muted">A batch job needs a deployment to call, and this project has none yet. Deploy a model first.</p>
    <DialogActions>
      <Button onClick={close}>Close</Button>
    </DialogActions>
  </>
);
