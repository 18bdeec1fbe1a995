import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';

import { useNewestProjects } from '@/api/projects';
import { Button } from '@/ui/Button';
import { Field, Input, Select } from '@/ui/Field';

import { type AuditSearch, parseAuditSearch } from './search';

const FIELDS = [
  { name: 'actor', label: 'Who', placeholder: 'ada@example.com', type: 'text' },
  { name: 'action', label: 'Action', placeholder: 'key or key.create', type: 'text' },
  { name: 'target', label: 'What', placeholder: 'name or id', type: 'text' },
  { name: 'from', label: 'From', placeholder: undefined, type: 'date' },
  { name: 'to', label: 'To', placeholder: undefined, type: 'date' },
] as const;

/** Which entries to show; what is asked for stands in the address. */
export function Filters({ organizationId, search }: { organizationId: string; search: AuditSearch }) {
  const { data: projects = [] } = useNewestProjects(organizationId);
  const navigate = useNavigate();
  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void navigate({ to: '.', search: parseAuditSearch(Object.fromEntries(new FormData(event.currentTarget))) });
  };
  return (
    <form key={JSON.stringify(search)} onSubmit={apply} className="flex flex-wrap items-end gap-3" aria-label="Filters">
      {FIELDS.map(({ name, label, placeholder, type }) => (
        <Field key={name} label={label}>
          {(control) => <Input {...control} name={name} type={type} placeholder={placeholder} defaultValue={search[name]} maxLength={254} />}
        </Field>
      ))}
      <Field label="Project">
        {(control) => (
          <Select {...control} key={projects.length} name="project" defaultValue={search.project ?? ''} className="max-w-48">
            <option value="">Any</option>
            {search.project && !projects.some((it) => it.id === search.project) && <option value={search.project}>{search.project}</option>}
            {projects.map((it) => (
              <option key={it.id} value={it.id}>
                {it.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Button type="submit">Filter</Button>
      {Object.values(search).some(Boolean) && (
        <Button type="button" variant="ghost" onClick={() => void navigate({ to: '.', search: {} })}>
          Clear
        </Button>
      )}
    </form>
  );
}
