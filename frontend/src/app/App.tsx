import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';

import { AppBoundary } from './AppBoundary';
import type { Console } from './router';

const Toasts = lazy(() => import('@/ui/Toasts'));

export function App({ router, queryClient }: Console) {
  return (
    <AppBoundary>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Suspense>
          <Toasts />
        </Suspense>
      </QueryClientProvider>
    </AppBoundary>
  );
}
