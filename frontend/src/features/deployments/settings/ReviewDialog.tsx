import { useMutation } from '@tanstack/react-query';
import { ArrowRight } from 'lucide-react';

import { ApiError, messageOf } from '@/api/problem';
import type { Deployment, RevisionSettings } from '@/api/types';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { FormProblem } from '@/ui/Field';

import { useNewRevision } from '../useNewRevision';
import { type Change, changesOf } from './words';

interface ReviewDialogProps {
  deployment: Deployment;
  /** What is to be made a revision; null while nothing is under review. */
  settings: RevisionSettings | null;
  onClose: () => void;
  onMade: () => void;
}

/** What changes, line by line, before it is done. */
export const ReviewDialog = ({ deployment, settings, onClose, onMade }: ReviewDialogProps) => (
  <Dialog open={settings !== null} onOpenChange={onClose} title={`Change how ${deployment.name} is served`}>
    {settings && <Review deployment={deployment} settings={settings} onClose={onClose} onMade={onMade} />}
  </Dialog>
);

function Review({ deployment, settings, onClose, onMade }: ReviewDialogProps & { settings: RevisionSettings }) {
  const { number, model_version: version, settings: current } = deployment.revision;
  const changes = changesOf(current, settings);
  const newRevision = useNewRevision(deployment);
  const making = useMutation({
    mutationFn: () => newRevision({ model_version_id: version.id, settings }),
    onSuccess: () => {
      onMade();
      onClose();
    },
  });
  return (
    <div className="flex flex-col gap-4">
      {changes.length > 0 ? <Changes changes={changes} /> : <p className="text-body text-muted">Nothing is different from revision {number}.</p>}
      <p className="text-body text-muted">
        Makes revision {number + 1} of the same model version. Revision {number} answers until it is ready: no call is lost.
      </p>
      <FormProblem message={making.error ? refusalWords(making.error) : undefined} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="primary" busy={making.isPending} disabled={changes.length === 0} onClick={() => making.mutate()}>
          Make revision {number + 1}
        </Button>
      </DialogActions>
    </div>
  );
}

/** Field by field where the server says so: its form is not on show here. */
function refusalWords(error: Error): string {
  const fields = error instanceof ApiError ? Object.entries(error.fields) : [];
  return fields.length > 0 ? fields.map(([field, message]) => `${field}: ${message}`).join('; ') : messageOf(error);
}

const Changes = ({ changes }: { changes: readonly Change[] }) => (
  <ul aria-label="Changes" className="flex flex-col divide-y divide-border rounded-control border border-border">
    {changes.map(({ label, before, after }) => (
      <li key={label} className="flex flex-wrap items-center gap-x-2 gap-y-0.5 px-3 py-2 text-body">
        <span className="mr-auto text-label">{label}</span>
        <del className="text-subtle">{before}</del>
        <span className="flex items-center gap-2">
          <ArrowRight aria-label="becomes" className="size-3.5 shrink-0 text-subtle" />
          <ins className="font-medium no-underline">{after}</ins>
        </span>
      </li>
    ))}
  </ul>
);
