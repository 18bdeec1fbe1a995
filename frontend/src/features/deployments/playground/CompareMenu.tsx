import { useInfiniteQuery } from '@tanstack/react-query';
import { Columns3 } from 'lucide-react';

import { deploymentsQuery } from '@/api/deployments';
import { messageOf } from '@/api/problem';
import type { Deployment } from '@/api/types';
import { Button } from '@/ui/Button';
import { Menu, MenuCheck, MenuItem, MenuLabel } from '@/ui/Menu';

import { MOST_OTHERS } from '../search';
import { takesTheSame } from './comparison';

export interface Comparing {
  /** Deployments beside this page's own, in the order they were chosen. */
  others: readonly Deployment[];
  choose: (others: readonly Deployment[]) => void;
}

/** Chooses up to two deployments that the same request is sent to as well. */
export const CompareMenu = (props: Comparing & { deployment: Deployment }) => (
  <Menu
    trigger={
      <Button icon={<Columns3 aria-hidden />} size="small">
        {props.others.length === 0 ? 'Compare' : `Compare (${props.others.length + 1})`}
      </Button>
    }
  >
    <MenuLabel>Send it to up to {MOST_OTHERS} others as well</MenuLabel>
    <Candidates {...props} />
  </Menu>
);

function Candidates({ deployment, others, choose }: Comparing & { deployment: Deployment }) {
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery(deploymentsQuery(deployment.project_id));
  if (!data) return <p className="px-2 pb-1.5 text-body text-muted">{error ? messageOf(error) : 'Loading…'}</p>;
  const candidates = data.filter((it) => it.id !== deployment.id);
  const toggle = (it: Deployment, chosen: boolean) => choose(chosen ? [...others, it] : others.filter((other) => other.id !== it.id));
  return (
    <>
      {candidates.length === 0 && <p className="px-2 pb-1.5 text-body text-muted">This project has no other deployment.</p>}
      {candidates.map((it) => (
        <Candidate key={it.id} candidate={it} isChosen={others.some((other) => other.id === it.id)} fits={takesSameInputs(deployment, it)} isFull={others.length >= MOST_OTHERS} onChange={(chosen) => toggle(it, chosen)} />
      ))}
      {hasNextPage && <MenuItem onSelect={() => void fetchNextPage()}>More deployments</MenuItem>}
    </>
  );
}

interface CandidateProps {
  candidate: Deployment;
  isChosen: boolean;
  fits: boolean;
  isFull: boolean;
  onChange: (chosen: boolean) => void;
}

const Candidate = ({ candidate: { name, revision }, isChosen, fits, isFull, onChange }: CandidateProps) => (
  <MenuCheck checked={isChosen} disabled={!isChosen && (!fits || isFull)} onChange={onChange}>
    <span className="block break-words">{name}</span>{' '}
    <span className="block text-caption text-subtle">{fits ? `${revision.model_version.model_name} v${revision.model_version.number}` : 'takes other inputs'}</span>
  </MenuCheck>
);

const takesSameInputs = (one: Deployment, other: Deployment): boolean => takesTheSame(one.revision.model_version.inputs, other.revision.model_version.inputs);

/** The chosen deployments of an address, as far as they exist and take the same inputs. */
export function useChosen(deployment: Deployment, names: string | undefined): readonly Deployment[] {
  const { data: all = [] } = useInfiniteQuery({ ...deploymentsQuery(deployment.project_id), enabled: names !== undefined });
  const wanted = names?.split(',') ?? [];
  return wanted.flatMap((name) => all.filter((it) => it.name === name && it.id !== deployment.id && takesSameInputs(deployment, it)));
}
