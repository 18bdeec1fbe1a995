import { PageHeader } from '@/ui/PageHeader';

export const OverviewPage = () => <PageHeader title="Overview" />;
