import type { ReactNode } from 'react';

import { refusalOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { FormProblem } from '@/ui/Field';

import { tagsIn } from '../tags';
import { VISIBILITIES } from '../visibility';
import type { Draft } from './draft';
import { useCreateProject } from './useCreateProject';

interface ReviewStepProps {
  draft: Draft;
  back: () => void;
  /** To where name, description and tags are mended. */
  mend: () => void;
  forget: () => void;
  organization: { id: string; slug: string };
}

/** Everything once more, and the making of it. */
export function ReviewStep({ draft, back, mend, forget, organization }: ReviewStepProps) {
  const creating = useCreateProject(organization, forget);
  const { fields, message } = refusalOf(creating.error, ['name', 'description', 'tags', 'visibility']);
  const refused = message ?? Object.values(fields).find(Boolean);
  const facts: [string, ReactNode][] = [
    ['Name', draft.name],
    ['Description', draft.description || 'none'],
    ['Tags', tagsIn(draft.tags).join(', ') || 'none'],
    ['Who sees it', VISIBILITIES.find(({ value }) => value === draft.visibility)?.title],
    ['Roles in it', draft.members.map(({ name, role }) => `${name}: ${role}`).join(', ') || 'those of the organization'],
  ];
  return (
    <div className="flex max-w-140 flex-col gap-5">
      <dl aria-label="The new project" className="grid grid-cols-1 gap-x-6 gap-y-1 text-body sm:grid-cols-[9rem_minmax(0,1fr)] sm:gap-y-3">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 pb-2 break-words whitespace-pre-line sm:pb-0">{value}</dd>
          </div>
        ))}
      </dl>
      <FormProblem message={refused} />
      <div className="flex flex-wrap justify-between gap-2">
        <Button onClick={back}>Back</Button>
        <div className="flex gap-2">
          {refused && <Button onClick={mend}>Mend it</Button>}
          <Button variant="primary" busy={creating.isPending} onClick={() => creating.mutate(draft)}>
            Create project
          </Button>
        </div>
      </div>
    </div>
  );
}
