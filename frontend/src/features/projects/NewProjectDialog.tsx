import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { refusalOf } from '@/api/problem';
import { projectKeys } from '@/api/projects';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Textarea } from '@/ui/Field';

interface NewProject {
  name: string;
  description: string;
}

interface NewProjectDialogProps {
  organization: { id: string; slug: string };
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

export const NewProjectDialog = ({ organization, open, onOpenChange }: NewProjectDialogProps) => (
  <Dialog open={open} onOpenChange={onOpenChange} title="New project" description="Its models and keys are kept apart from those of other projects.">
    <NewProjectForm organization={organization} cancel={() => onOpenChange(false)} />
  </Dialog>
);

function NewProjectForm({ organization, cancel }: Pick<NewProjectDialogProps, 'organization'> & { cancel: () => void }) {
  const { register, handleSubmit, formState } = useForm<NewProject>();
  const creating = useCreateProject(organization);
  const refusal = refusalOf(creating.error, ['name', 'description']);
  const { errors } = formState;
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => creating.mutate(values))(event)}>
      <Field label="Name" error={errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} maxLength={64} autoComplete="off" {...register('name', { required: 'Give the project a name.', setValueAs: trimmed })} />}
      </Field>
      <Field label="Description" hint="Optional: what it is for, and whom to ask." error={refusal.fields.description}>
        {(control) => <Textarea {...control} maxLength={1000} {...register('description')} />}
      </Field>
      <FormProblem message={refusal.message} />
      <DialogActions>
        <Button onClick={cancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={creating.isPending}>
          Create project
        </Button>
      </DialogActions>
    </form>
  );
}

function useCreateProject(organization: { id: string; slug: string }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: NewProject) => call(api.POST('/api/v1/organizations/{organization_id}/projects', { params: { path: { organization_id: organization.id } }, body })),
    onSuccess: (project) => {
      void queryClient.invalidateQueries({ queryKey: projectKeys.list(organization.id) });
      return navigate({ to: '/o/$org/p/$project', params: { org: organization.slug, project: project.slug } });
    },
  });
}
