import { Outlet, useParams, useRouter, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { useLiveUpdates } from '@/api/events';
import { useMe } from '@/api/session';

import { ArchivedBanner } from './ArchivedBanner';
import { ConnectionBanner } from './ConnectionBanner';
import { NavigationDrawer, Sidebar } from './Sidebar';
import { TopBar } from './TopBar';

/** The frame around every signed-in page. */
export function Shell() {
  const [drawerOpen, setDrawerOpen] = useState(false);
  const main = useFocusAfterNavigation();
  const { org, project } = useParams({ strict: false });
  const liveness = useLiveUpdates(org, project);
  useEntryAnew();
  return (
    <div className="flex h-full flex-col">
      <a
        href="#main"
        className="absolute top-2 left-2 z-50 -translate-y-16 rounded-control bg-accent px-3 py-2 text-label text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <TopBar liveness={liveness} onOpenNavigation={() => setDrawerOpen(true)} />
      <ConnectionBanner />
      <ArchivedBanner />
      <div className="flex min-h-0 flex-1">
        <Sidebar />
        <NavigationDrawer open={drawerOpen} onOpenChange={setDrawerOpen} />
        <main ref={main} id="main" tabIndex={-1} className="relative min-w-0 flex-1 overflow-y-auto" data-scroll-restoration-id="main">
          <ProgressLine />
          <div className="mx-auto flex w-full max-w-280 flex-col gap-6 p-4 sm:p-6">
            <Outlet />
          </div>
        </main>
      </div>
    </div>
  );
}

/** Whoever may enter something else than a moment ago enters the page anew, or finds that it is not there any more. */
function useEntryAnew() {
  const router = useRouter();
  const rights = useMe()
    .organizations.map(({ slug, role }) => `${slug} ${role}`)
    .join();
  const previous = useRef(rights);
  useEffect(() => {
    if (previous.current !== rights) void router.invalidate();
    previous.current = rights;
  }, [router, rights]);
}

/** After a navigation a keyboard or screen-reader user starts at the new page, not at the link they left. */
function useFocusAfterNavigation() {
  const main = useRef<HTMLElement>(null);
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const previous = useRef(pathname);
  useEffect(() => {
    if (previous.current !== undefined && previous.current !== pathname) main.current?.focus({ preventScroll: true });
    previous.current = pathname;
  }, [pathname]);
  return main;
}

function ProgressLine() {
  const busy = useRouterState({ select: (state) => state.status === 'pending' });
  if (!busy) return null;
  return (
    <div aria-hidden className="absolute inset-x-0 top-0 z-10 h-0.5 animate-late overflow-hidden">
      <div className="h-full w-1/4 animate-progress bg-accent" />
    </div>
  );
}
