import { PageHeader } from '@/ui/PageHeader';

export const SignUpPage = () => <PageHeader title="SignUp" />;
