import type { UseMutationResult } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';

import type { BothFactors } from './secondFactor';

interface BothFactorsFormProps<Answer> {
  change: UseMutationResult<Answer, Error, BothFactors>;
  action: string;
  variant: 'primary' | 'danger';
  onSuccess?: () => void;
  close: () => void;
}

/** Asks for password and code before something changes about the second factor. */
export function BothFactorsForm<Answer>({ change, action, variant, onSuccess, close }: BothFactorsFormProps<Answer>) {
  const { register, handleSubmit, formState } = useForm<BothFactors>();
  const { errors } = formState;
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => change.mutate(values, { onSuccess: () => onSuccess?.() }))(event)}>
      <Field label="Password" error={errors.password?.message}>
        {(control) => <PasswordInput {...control} autoComplete="current-password" {...register('password', { required: 'Enter your password.' })} />}
      </Field>
      <Field label="Code" hint="Of your authenticator app, or a recovery code." error={errors.code?.message}>
        {(control) => <Input {...control} autoComplete="one-time-code" {...register('code', { required: 'Enter a code.' })} />}
      </Field>
      <FormProblem message={refusalOf(change.error, []).message} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant={variant} busy={change.isPending}>
          {action}
        </Button>
      </DialogActions>
    </form>
  );
}
