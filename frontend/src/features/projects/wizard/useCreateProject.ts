import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, call } from '@/api/client';
import { messageOf } from '@/api/problem';
import { projectKeys } from '@/api/projects';
import { toast } from '@/ui/toast';

import { tagsIn } from '../tags';
import type { Draft, FirstMember } from './draft';

/** Makes the project, gives its first members their roles, and leads into it; `done` runs once it is there. */
export function useCreateProject(organization: { id: string; slug: string }, done: () => void) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async ({ name, description, tags, visibility, members }: Draft) => {
      const body = { name, description, tags: tagsIn(tags), visibility };
      const project = await call(api.POST('/api/v1/organizations/{organization_id}/projects', { params: { path: { organization_id: organization.id } }, body }));
      await giveRoles(project.id, members);
      return project;
    },
    onSuccess: (project) => {
      done();
      void queryClient.invalidateQueries({ queryKey: projectKeys.list(organization.id) });
      return navigate({ to: '/o/$org/p/$project', params: { org: organization.slug, project: project.slug } });
    },
  });
}

/** The project is there whatever becomes of this: who could not be added is said, and can be added in its settings. */
async function giveRoles(projectId: string, members: readonly FirstMember[]): Promise<void> {
  for (const { userId, name, role } of members) {
    // One after the other: each changes who may see the project.
    // oxlint-disable-next-line no-await-in-loop
    await call(api.PUT('/api/v1/projects/{project_id}/members/{user_id}', { params: { path: { project_id: projectId, user_id: userId } }, body: { role } })).catch((error: unknown) =>
      toast.error(`${name} was not added: ${messageOf(error)}`),
    );
  }
}
