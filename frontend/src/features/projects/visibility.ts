/** Who sees a project, and what people may be in it. */
import type { Project } from '@/api/types';

import type { ProjectRole } from './queries';

export const VISIBILITIES: readonly { value: Project['visibility']; title: string; text: string }[] = [
  { value: 'organization', title: 'The whole organization', text: 'Everybody in it sees the project, with the role they have in the organization unless they have another here.' },
  { value: 'private', title: 'Its members', text: 'Only those with a role in this project see that it exists, and the administrators of the organization.' },
];

export const PROJECT_ROLES: readonly ProjectRole[] = ['viewer', 'developer', 'admin'];
