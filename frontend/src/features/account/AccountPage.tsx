import { useMe } from '@/api/session';
import { PageHeader } from '@/ui/PageHeader';

import { DeleteAccount } from './DeleteAccount';
import { NoPassword } from './NoPassword';
import { PasswordForm } from './PasswordForm';
import { SecondFactor } from './SecondFactor';
import { Sessions } from './Sessions';
import { SignIns } from './SignIns';
import { UnverifiedEmail } from './UnverifiedEmail';

/** The reader's own account, and what keeps it safe. */
export function AccountPage() {
  const { user, is_email_verified: isVerified, has_password: hasPassword } = useMe();
  return (
    <>
      <PageHeader title="Account">
        {user.name}, {user.email}
      </PageHeader>
      {!isVerified && <UnverifiedEmail />}
      <Sessions />
      {hasPassword ? <PasswordForm /> : <NoPassword />}
      <SignIns />
      <SecondFactor />
      <DeleteAccount />
    </>
  );
}
