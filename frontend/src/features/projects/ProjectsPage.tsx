import { PageHeader } from '@/ui/PageHeader';

export const ProjectsPage = () => <PageHeader title="Projects" />;
