import type { QueryClient } from '@tanstack/react-query';

import { deploymentKeys } from './deployments';
import { modelKeys } from './models';

/** Asks again for all that a change to a project's models or deployments may have touched, its counts included. */
export function refreshProject(queryClient: QueryClient, projectId: string): void {
  for (const queryKey of [modelKeys.all(projectId), deploymentKeys.all(projectId), ['project']]) void queryClient.invalidateQueries({ queryKey });
}
