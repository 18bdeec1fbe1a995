import { useParams } from '@tanstack/react-router';
import { Archive } from 'lucide-react';

import { useProjectAt } from '@/api/projects';

/** Says on every page of an archived project why nothing can be changed there. */
export function ArchivedBanner() {
  const { org, project } = useParams({ strict: false });
  const { data } = useProjectAt(org, project);
  if (!data?.archived_at) return null;
  return (
    <p role="status" className="flex items-center gap-2 border-b border-border bg-sunken px-4 py-2 text-body text-muted">
      <Archive aria-hidden className="size-4 shrink-0" />
      This project is archived: its deployments go on answering, and nothing in it changes until it is taken out of the archive.
    </p>
  );
}
