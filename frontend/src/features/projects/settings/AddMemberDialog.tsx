import { type FormEvent, useState } from 'react';

import { messageOf } from '@/api/problem';
import type { Project } from '@/api/types';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Select } from '@/ui/Field';

import { type ProjectRole, useCandidates, useSetProjectRole } from '../queries';
import { PROJECT_ROLES } from '../visibility';

interface AddMemberDialogProps {
  project: Project;
  close: () => void;
}

/** Gives somebody of the organization a role in this project. */
export const AddMemberDialog = (props: AddMemberDialogProps) => (
  <Dialog open onOpenChange={props.close} title="Add a member" description="Somebody of the organization gets a role in this project, whatever they are in the organization.">
    <AddMemberForm {...props} />
  </Dialog>
);

function AddMemberForm({ project, close }: AddMemberDialogProps) {
  const [search, setSearch] = useState('');
  const [userId, setUserId] = useState('');
  const [role, setRole] = useState<ProjectRole>('developer');
  const { data: people = [] } = useCandidates(project.organization_id, search);
  const adding = useSetProjectRole(project.id);
  const able = people.filter((it) => it.role !== 'admin' && it.role !== 'owner');
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (userId) adding.mutate({ userId, role }, { onSuccess: close });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={add}>
      <Field label="Find a person">{(control) => <Input {...control} type="search" maxLength={100} value={search} onChange={({ target }) => setSearch(target.value)} />}</Field>
      <Field label="Person" hint={able.length === 0 ? 'Nobody matches who is not an administrator of everything already.' : undefined}>
        {(control) => (
          <Select {...control} value={userId} onChange={({ target }) => setUserId(target.value)}>
            <option value="">Choose a person</option>
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
      <FormProblem message={adding.error ? messageOf(adding.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={adding.isPending} disabled={!userId}>
          Add member
        </Button>
      </DialogActions>
    </form>
  );
}
