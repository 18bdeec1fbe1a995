import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { deleteModel, modelKeys } from '@/api/models';
import { useProject } from '@/api/projects';
import { refreshProject } from '@/api/refreshProject';
import type { Model } from '@/api/types';
import { plural } from '@/lib/format';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { GuardedIconButton } from '@/ui/Guarded';

export function DeleteModel({ model }: { model: Model }) {
  const [isOpen, setIsOpen] = useState(false);
  const project = useProject();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = async () => {
    await deleteModel(project.id, model.id);
    await navigate({ to: '/o/$org/p/$project/models', params: { org: project.organization_slug, project: project.slug } });
    queryClient.removeQueries({ queryKey: modelKeys.one(project.id, model.id) });
    refreshProject(queryClient, project.id);
  };
  return (
    <>
      <GuardedIconButton needs="models:write" label="Delete model" icon={<Trash2 />} onClick={() => setIsOpen(true)} />
      <ConfirmDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title={`Delete ${model.name}?`}
        effect={<Effect model={model} />}
        action="Delete model"
        nameToType={model.name}
        onConfirm={remove}
      />
    </>
  );
}

function Effect({ model: { deployments, versions } }: { model: Model }) {
  if (deployments.length === 0) return <p>This deletes the model and {versions === 1 ? 'its only version' : `all of its ${plural(versions, 'version')}`}. It cannot be undone.</p>;
  return (
    <p>
      {deployments.map((it) => it.name).join(', ')} {deployments.length === 1 ? 'serves' : 'serve'} this model. Delete {deployments.length === 1 ? 'that deployment' : 'those deployments'} first: Headrace
      refuses to delete a model in use.
    </p>
  );
}
