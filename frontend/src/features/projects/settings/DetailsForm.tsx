import { useForm } from 'react-hook-form';

import { useRefusal } from '@/api/permissions';
import { refusalOf } from '@/api/problem';
import type { Project } from '@/api/types';
import { trimmed } from '@/lib/trimmed';
import { Card } from '@/ui/Card';
import { Field, FormProblem, Input, Textarea } from '@/ui/Field';
import { GuardedButton } from '@/ui/Guarded';
import { toast } from '@/ui/toast';

import { useUpdateProject } from '../queries';
import { checkTags, tagsIn } from '../tags';

interface DetailsValues {
  name: string;
  description: string;
  tags: string;
}

/** Name, description and tags; the address stays what it was at first. */
export function DetailsForm({ project }: { project: Project }) {
  const { register, handleSubmit, formState } = useForm<DetailsValues>({ defaultValues: { name: project.name, description: project.description, tags: project.tags.join(', ') } });
  const updating = useUpdateProject(project.id);
  const refusal = refusalOf(updating.error, ['name', 'description', 'tags']);
  const readOnly = useRefusal('projects:write') !== undefined;
  const { errors, isDirty } = formState;
  const save = ({ name, description, tags }: DetailsValues) => updating.mutate({ name, description, tags: tagsIn(tags) }, { onSuccess: () => toast.success('Saved') });
  return (
    <Card title="About">
      <form noValidate className="flex max-w-110 flex-col gap-4" onSubmit={(event) => void handleSubmit(save)(event)}>
        <Field label="Name" hint={<>Its address stays <code className="font-mono">{project.slug}</code>.</>} error={errors.name?.message ?? refusal.fields.name}>
          {(control) => <Input {...control} readOnly={readOnly} maxLength={64} autoComplete="off" {...register('name', { required: 'Give the project a name.', setValueAs: trimmed })} />}
        </Field>
        <Field label="Description" hint="What it is for, and whom to ask." error={refusal.fields.description}>
          {(control) => <Textarea {...control} readOnly={readOnly} maxLength={2000} {...register('description')} />}
        </Field>
        <Field label="Tags" hint="With commas between: team-payments, stage:production." error={errors.tags?.message ?? refusal.fields.tags}>
          {(control) => <Input {...control} readOnly={readOnly} autoComplete="off" spellCheck={false} {...register('tags', { validate: checkTags })} />}
        </Field>
        <FormProblem message={refusal.message} />
        <div>
          <GuardedButton needs="projects:write" type="submit" variant="primary" busy={updating.isPending} disabled={!isDirty}>
            Save
          </GuardedButton>
        </div>
      </form>
    </Card>
  );
}
