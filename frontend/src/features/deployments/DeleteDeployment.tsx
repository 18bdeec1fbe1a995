import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { deleteDeployment, deploymentKeys } from '@/api/deployments';
import { useProject } from '@/api/projects';
import { refreshProject } from '@/api/refreshProject';
import type { Deployment } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { GuardedIconButton } from '@/ui/Guarded';

export function DeleteDeployment({ deployment: { id, name } }: { deployment: Deployment }) {
  const [isOpen, setIsOpen] = useState(false);
  const project = useProject();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = async () => {
    await deleteDeployment(project.id, id);
    await navigate({ to: '/o/$org/p/$project/deployments', params: { org: project.organization_slug, project: project.slug } });
    queryClient.removeQueries({ queryKey: deploymentKeys.one(project.id, id) });
    refreshProject(queryClient, project.id);
  };
  return (
    <>
      <GuardedIconButton needs="deployments:write" label="Delete deployment" icon={<Trash2 />} onClick={() => setIsOpen(true)} />
      <ConfirmDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title={`Delete ${name}?`}
        effect={<p>Applications that call {name} get 404 from then on. Its model and what was measured stay. It cannot be undone.</p>}
        action="Delete deployment"
        nameToType={name}
        onConfirm={remove}
      />
    </>
  );
}
