import { useQueryClient } from '@tanstack/react-query';

import { deploymentKeys, type RevisionChange, updateDeployment } from '@/api/deployments';
import { refreshProject } from '@/api/refreshProject';
import type { Deployment } from '@/api/types';

/** Gives a deployment another revision, and the page what the server says about it. */
export function useNewRevision({ id, project_id: projectId }: Deployment) {
  const queryClient = useQueryClient();
  return async (change: RevisionChange): Promise<void> => {
    const deployment = await updateDeployment(projectId, id, change);
    queryClient.setQueryData(deploymentKeys.one(projectId, id), deployment);
    refreshProject(queryClient, projectId);
  };
}
