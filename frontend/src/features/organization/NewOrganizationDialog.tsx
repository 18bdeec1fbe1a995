import { lazy, Suspense } from 'react';

import { Dialog } from '@/ui/Dialog';
import { Skeleton } from '@/ui/Skeleton';

const NewOrganizationForm = lazy(() => import('./NewOrganizationForm'));

/** Founds an organization and leads to it. It is part of the shell, and loads its form when it opens. */
export const NewOrganizationDialog = ({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) => (
  <Dialog open={open} onOpenChange={onOpenChange} title="New organization" description="People, projects and keys of one organization are never seen by another. You will own it.">
    <Suspense fallback={<Skeleton className="h-28 w-full" />}>
      <NewOrganizationForm close={() => onOpenChange(false)} />
    </Suspense>
  </Dialog>
);
