import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import { messageOf } from '@/api/problem';
import { useMe } from '@/api/session';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Select } from '@/ui/Field';
import { Loaded } from '@/ui/Loaded';
import { toast } from '@/ui/toast';

import type { Organization } from '@/api/organization';
import { useHandOver } from './organizationQueries';
import { useMembers } from './queries';

interface HandOverDialogProps {
  organization: Organization;
  close: () => void;
}

/** Makes another member the owner, once the organization's name was typed. */
export const HandOverDialog = (props: HandOverDialogProps) => (
  <Dialog open onOpenChange={props.close} title={`Hand ${props.organization.name} over?`} description="The new owner may do everything with it, delete it included. You become an admin.">
    <HandOverForm {...props} />
  </Dialog>
);

function HandOverForm({ organization, close }: HandOverDialogProps) {
  const { user } = useMe();
  const [search, setSearch] = useState('');
  const [userId, setUserId] = useState('');
  const [typed, setTyped] = useState('');
  const members = useMembers(organization.id, search);
  const handOver = useHandOver(organization.id);
  const doing = useMutation({
    mutationFn: () => handOver(userId),
    onSuccess: () => {
      toast.success(`${organization.name} has a new owner`);
      close();
    },
  });
  const find = (words: string) => {
    setSearch(words);
    setUserId(''); // whom the list may no longer show
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (userId && typed === organization.name) doing.mutate();
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <Field label="Find a member">{(control) => <Input {...control} type="search" maxLength={100} value={search} onChange={({ target }) => find(target.value)} />}</Field>
      <Loaded query={members}>
        {(items) => (
          <Field label="New owner" hint={items.length < 2 ? 'Invite somebody first: there is nobody else.' : undefined}>
            {(control) => (
              <Select {...control} value={userId} onChange={({ target }) => setUserId(target.value)}>
                <option value="">Choose a member</option>
                {items
                  .filter((it) => it.user_id !== user.id)
                  .map((it) => (
                    <option key={it.user_id} value={it.user_id}>
                      {it.name} ({it.email}), {it.role}
                    </option>
                  ))}
              </Select>
            )}
          </Field>
        )}
      </Loaded>
      <Field label={`Type ${organization.name} to confirm`}>{(control) => <Input {...control} autoComplete="off" value={typed} onChange={({ target }) => setTyped(target.value)} />}</Field>
      <FormProblem message={doing.error ? messageOf(doing.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="danger" busy={doing.isPending} disabled={!userId || typed !== organization.name}>
          Hand over
        </Button>
      </DialogActions>
    </form>
  );
}
