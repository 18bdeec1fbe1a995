import { Link } from '@tanstack/react-router';
import { useForm, useWatch } from 'react-hook-form';

import { toName } from '@/lib/names';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Field, Input, Textarea } from '@/ui/Field';

import { checkTags } from '../tags';
import type { Draft } from './draft';

interface AboutStepProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  next: () => void;
  organization: { slug: string };
}

type AboutForm = Pick<Draft, 'name' | 'description' | 'tags'>;

export function AboutStep({ draft, change, next, organization }: AboutStepProps) {
  const { register, handleSubmit, formState, control: form, getValues } = useForm<AboutForm>({ defaultValues: draft });
  const { errors } = formState;
  const slug = toName(useWatch({ control: form, name: 'name' }));
  const keep = () => change(getValues());
  const goOn = (values: AboutForm) => {
    change(values);
    next();
  };
  return (
    <form noValidate className="flex max-w-110 flex-col gap-4" onSubmit={(event) => void handleSubmit(goOn)(event)}>
      <Field
        label="Name"
        hint={
          <>
            Its address will be <code className="font-mono">/o/{organization.slug}/p/{slug || 'project'}</code>, or with an ending if that is taken.
          </>
        }
        error={errors.name?.message}
      >
        {(control) => <Input {...control} maxLength={64} autoComplete="off" {...register('name', { required: 'Give the project a name.', setValueAs: trimmed, onBlur: keep })} />}
      </Field>
      <Field label="Description" hint="Optional: what it is for, and whom to ask.">
        {(control) => <Textarea {...control} maxLength={2000} {...register('description', { onBlur: keep })} />}
      </Field>
      <Field label="Tags" hint="Optional, with commas between: team-payments, stage:production." error={errors.tags?.message}>
        {(control) => <Input {...control} autoComplete="off" spellCheck={false} {...register('tags', { validate: checkTags, onBlur: keep })} />}
      </Field>
      <div className="flex justify-between gap-2">
        <Link to="/o/$org" params={{ org: organization.slug }} className="link self-center text-body">
          Cancel
        </Link>
        <Button type="submit" variant="primary">
          Next
        </Button>
      </div>
    </form>
  );
}
