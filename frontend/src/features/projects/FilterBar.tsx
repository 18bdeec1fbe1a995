import { useNavigate } from '@tanstack/react-router';
import { X } from 'lucide-react';

import { Input } from '@/ui/Field';
import { Segments } from '@/ui/Segments';

import type { ProjectFilters, ProjectState } from './search';

const LABELS: Record<ProjectState, string> = { active: 'Active', archived: 'Archived', deleted: 'Deleted' };

/** Search, state and tags above the list; all of them in the address. */
export function FilterBar({ filters, mayRestore }: { filters: ProjectFilters; mayRestore: boolean }) {
  const navigate = useNavigate();
  const set = (change: ProjectFilters) => void navigate({ to: '.', search: { ...filters, ...change }, replace: true });
  const { q = '', state = 'active', tag = [] } = filters;
  const states: readonly ProjectState[] = mayRestore ? ['active', 'archived', 'deleted'] : ['active', 'archived'];
  const without = (gone: string) => tag.filter((it) => it !== gone);
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-3">
        <Input
          type="search"
          aria-label="Search projects"
          placeholder="Search by name, description or tag"
          maxLength={200}
          className="max-w-md min-w-0 flex-1 basis-60"
          defaultValue={q}
          onChange={({ target }) => set({ q: target.value || undefined })}
        />
        <Segments label="Which projects" value={state} options={states.map((value) => ({ value, label: LABELS[value] }))} onChange={(value) => set({ state: value === 'active' ? undefined : value })} />
      </div>
      {tag.length > 0 && (
        <ul aria-label="Tags asked for" className="flex flex-wrap gap-2">
          {tag.map((it) => (
            <li key={it}>
              <button
                type="button"
                aria-label={`Remove the tag ${it}`}
                className="inline-flex h-6 items-center gap-1 rounded-full bg-accent-soft px-2 text-caption text-accent hover:brightness-95"
                onClick={() => set({ tag: without(it).length > 0 ? without(it) : undefined })}
              >
                {it}
                <X aria-hidden className="size-3" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
