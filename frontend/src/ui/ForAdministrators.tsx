import { Lock } from 'lucide-react';
import type { ReactNode } from 'react';

import { administers, type Organization } from '@/api/organization';

import { Empty } from './Empty';

interface Props {
  of: Organization;
  /** What they do here: `admins and owners …`. */
  who: string;
  children: ReactNode;
}

/** A page's content to administrators of the organization, and to others why they do not see it. */
export const ForAdministrators = ({ of: organization, who, children }: Props) =>
  administers(organization) ? (
    children
  ) : (
    <Empty icon={<Lock aria-hidden />} title="For administrators">
      Your role in {organization.name} is {organization.role}; {who}.
    </Empty>
  );
