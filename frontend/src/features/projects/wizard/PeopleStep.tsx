import { Plus, X } from 'lucide-react';
import { useState } from 'react';

import { Button, IconButton } from '@/ui/Button';
import { Field, Input, Radio, Select } from '@/ui/Field';

import { type ProjectRole, useCandidates } from '../queries';
import { PROJECT_ROLES, VISIBILITIES } from '../visibility';
import type { Draft } from './draft';

interface PeopleStepProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  back: () => void;
  next: () => void;
  organization: { id: string };
}

export function PeopleStep({ draft, change, back, next, organization }: PeopleStepProps) {
  return (
    <div className="flex max-w-140 flex-col gap-5">
      <fieldset className="flex flex-col gap-3">
        <legend className="pb-2 text-label">Who sees it</legend>
        {VISIBILITIES.map(({ value, title, text }) => (
          <Radio key={value} name="visibility" label={title} hint={text} checked={draft.visibility === value} onChange={() => change({ visibility: value })} />
        ))}
      </fieldset>
      <FirstMembers draft={draft} change={change} organizationId={organization.id} />
      <div className="flex justify-between gap-2">
        <Button onClick={back}>Back</Button>
        <Button variant="primary" onClick={next}>
          Next
        </Button>
      </div>
    </div>
  );
}

interface FirstMembersProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  organizationId: string;
}

/** People who get a role in the project from the start; administrators of the organization have one anyway. */
function FirstMembers({ draft: { members }, change, organizationId }: FirstMembersProps) {
  const [search, setSearch] = useState('');
  const [userId, setUserId] = useState('');
  const [role, setRole] = useState<ProjectRole>('developer');
  const { data: people = [] } = useCandidates(organizationId, search);
  const able = people.filter((it) => it.role !== 'admin' && it.role !== 'owner' && !members.some(({ userId: taken }) => taken === it.user_id));
  const person = able.find((it) => it.user_id === userId);
  const add = () => {
    if (!person) return;
    change({ members: [...members, { userId: person.user_id, name: person.name, role }] });
    setUserId('');
  };
  return (
    <section className="flex flex-col gap-3">
      <h3 className="text-label">Roles in it from the start</h3>
      {members.length > 0 && (
        <ul aria-label="First members" className="divide-y divide-border rounded-control border border-border">
          {members.map((it) => (
            <li key={it.userId} className="flex items-center justify-between gap-3 px-3 py-1.5">
              <span className="min-w-0 break-words">{it.name}</span>
              <span className="ml-auto text-muted">{it.role}</span>
              <IconButton size="small" label={`Leave ${it.name} out`} icon={<X />} className="w-7" onClick={() => change({ members: members.filter(({ userId: id }) => id !== it.userId) })} />
            </li>
          ))}
        </ul>
      )}
      <Field label="Find a person">{(control) => <Input {...control} type="search" maxLength={100} value={search} onChange={({ target }) => setSearch(target.value)} />}</Field>
      <div className="grid grid-cols-[minmax(0,1fr)_8rem_auto] items-end gap-2">
        <Field label="Person">
          {(control) => (
            <Select {...control} value={userId} onChange={({ target }) => setUserId(target.value)}>
              <option value="">{able.length === 0 ? 'Nobody to add' : 'Choose a person'}</option>
              {able.map((it) => (
                <option key={it.user_id} value={it.user_id}>
                  {it.name} ({it.email})
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Role">
          {(control) => (
            <Select {...control} value={role} onChange={({ target }) => setRole(PROJECT_ROLES.find((it) => it === target.value) ?? 'developer')}>
              {PROJECT_ROLES.map((it) => (
                <option key={it}>{it}</option>
              ))}
            </Select>
          )}
        </Field>
        <Button icon={<Plus aria-hidden />} disabled={!person} onClick={add}>
          Add
        </Button>
      </div>
    </section>
  );
}
