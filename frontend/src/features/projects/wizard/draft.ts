/** What has been said of a project that is not made yet: kept in this tab, so that a reload or a wrong turn loses nothing. */
import { useState } from 'react';

import type { Project } from '@/api/types';

import type { ProjectRole } from '../queries';

export interface FirstMember {
  userId: string;
  name: string;
  role: ProjectRole;
}

export interface Draft {
  name: string;
  description: string;
  tags: string;
  visibility: Project['visibility'];
  members: FirstMember[];
}

const EMPTY: Draft = { name: '', description: '', tags: '', visibility: 'organization', members: [] };

const placeOf = (organizationId: string): string => `headrace.new-project.${organizationId}`;

function read(organizationId: string): Draft {
  try {
    return { ...EMPTY, ...JSON.parse(sessionStorage.getItem(placeOf(organizationId)) ?? '{}') };
  } catch (error) {
    if (error instanceof SyntaxError) return EMPTY;
    throw error;
  }
}

/** The draft of one organization, how to change it, and how to forget it. */
export function useDraft(organizationId: string) {
  const [draft, setDraft] = useState(() => read(organizationId));
  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    sessionStorage.setItem(placeOf(organizationId), JSON.stringify(next));
  };
  const forget = () => sessionStorage.removeItem(placeOf(organizationId));
  return { draft, change, forget };
}
