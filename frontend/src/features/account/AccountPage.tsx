import { useMe } from '@/api/session';
import { PageHeader } from '@/ui/PageHeader';

import { DeleteAccount } from './DeleteAccount';
import { PasswordForm } from './PasswordForm';
import { Sessions } from './Sessions';

/** The reader's own account, and what keeps it safe. */
export function AccountPage() {
  const { user } = useMe();
  return (
    <>
      <PageHeader title="Account">
        {user.name}, {user.email}
      </PageHeader>
      <Sessions />
      <PasswordForm />
      <DeleteAccount />
    </>
  );
}
