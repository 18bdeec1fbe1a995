import type { FieldErrors, UseFormRegister } from 'react-hook-form';

import { Field, Input } from '@/ui/Field';

import { faultOf, LIMIT_FIELDS, type LimitDraft } from './limits';

/** The part of a form that holds limits. */
export interface LimitForm {
  limits: LimitDraft;
}

interface LimitFieldsProps {
  register: UseFormRegister<LimitForm>;
  errors: FieldErrors<LimitForm>;
}

export const LimitFields = ({ register, errors }: LimitFieldsProps) => (
  <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
    {LIMIT_FIELDS.map((field) => (
      <Field key={field.name} label={field.label} hint={field.hint} error={errors.limits?.[field.name]?.message}>
        {(control) => (
          <Input
            {...control}
            inputMode="decimal"
            autoComplete="off"
            placeholder={field.name === 'burst' ? '' : 'No limit'}
            {...register(`limits.${field.name}`, { validate: (_, form) => faultOf(field, form.limits) })}
          />
        )}
      </Field>
    ))}
  </div>
);
