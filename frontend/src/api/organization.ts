import { useParams } from '@tanstack/react-router';

import { useMe } from './session';
import type { Me } from './types';

export type Organization = Me['organizations'][number];

/** The organization of the address, as the signed-in person sees it. */
export function useOrganization(): Organization | undefined {
  const { org } = useParams({ strict: false });
  return useMe().organizations.find((it) => it.slug === org);
}

export const administers = ({ role }: Organization): boolean => role === 'admin' || role === 'owner';
