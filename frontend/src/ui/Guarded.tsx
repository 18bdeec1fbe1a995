import { type Permission, useRefusal } from '@/api/permissions';

import { Button, type ButtonProps, IconButton } from './Button';

interface Guard {
  /** What the person must be allowed to do in the page's project. */
  needs: Permission;
  /** Whether it is done in archived projects, too. */
  inArchived?: boolean;
}

/** A button that says why it does nothing to those who may not use it. */
export const GuardedButton = ({ needs, inArchived = false, ...rest }: ButtonProps & Guard) => <Button {...rest} refusal={useRefusal(needs, { inArchived })} />;

export const GuardedIconButton = ({ needs, inArchived = false, ...rest }: Omit<ButtonProps, 'children' | 'aria-label'> & { label: string } & Guard) => (
  <IconButton {...rest} refusal={useRefusal(needs, { inArchived })} />
);
