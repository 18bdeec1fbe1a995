import { PageHeader } from '@/ui/PageHeader';

export const LoginPage = () => <PageHeader title="Login" />;
