// SPDX-License-Identifier: Apache-2.0
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { Failure } from './api/client';
import { client, session } from './api/queries';
import { readCustodyAddress } from './custody/address';
import { readRespondAddress, readRespondingAddress } from './respond/address';
import { Crashed, Lost } from './shell/States';
import { isOwnPath, keepNext } from './signin/next';
import { readAddress } from './timeline/address';

const root = createRootRoute({
  component: Outlet,
  errorComponent: Crashed,
  notFoundComponent: Lost,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    return isOwnPath(search.next) ? { next: search.next } : {};
  },
  beforeLoad: ({ search }) => {
    if (search.next) keepNext(search.next);
  },
  component: lazyRouteComponent(() => import('./signin/SignIn'), 'SignIn'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: lazyRouteComponent(() => import('./shell/Shell'), 'Shell'),
  errorComponent: Crashed,
  beforeLoad: async ({ location }) => {
    try {
      await client.ensureQueryData(session());
    } catch (error) {
      if (error instanceof Failure && error.status === 401) {
        keepNext(location.href);
        throw redirect({ to: '/sign-in', search: { next: location.href } });
      }
      throw error;
    }
  },
});

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/cases' });
  },
});

const cases = createRoute({
  getParentRoute: () => inside,
  path: '/cases',
  component: lazyRouteComponent(() => import('./cases/Cases'), 'Cases'),
});

const oneCase = createRoute({
  getParentRoute: () => inside,
  path: '/cases/$case',
  component: lazyRouteComponent(() => import('./case/CaseFrame'), 'CaseFrame'),
});

const overview = createRoute({
  getParentRoute: () => oneCase,
  path: '/',
  component: lazyRouteComponent(() => import('./case/Overview'), 'Overview'),
});

const timeline = createRoute({
  getParentRoute: () => oneCase,
  path: '/timeline',
  validateSearch: readAddress,
  component: lazyRouteComponent(() => import('./timeline/Timeline'), 'Timeline'),
});

const evidence = createRoute({
  getParentRoute: () => oneCase,
  path: '/evidence',
  validateSearch: (
    search: Record<string, unknown>,
  ): { state?: string; q?: string; id?: string } => {
    const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined);
    return { state: text(search.state), q: text(search.q), id: text(search.id) };
  },
  component: lazyRouteComponent(() => import('./case/Evidence'), 'Evidence'),
});

const custody = createRoute({
  getParentRoute: () => oneCase,
  path: '/custody',
  validateSearch: readCustodyAddress,
  component: lazyRouteComponent(() => import('./case/Custody'), 'Custody'),
});

const respond = createRoute({
  getParentRoute: () => oneCase,
  path: '/respond',
  validateSearch: readRespondAddress,
  component: lazyRouteComponent(() => import('./respond/Respond'), 'Respond'),
});

const run = createRoute({
  getParentRoute: () => oneCase,
  path: '/respond/$run',
  component: lazyRouteComponent(() => import('./respond/RunPage'), 'RunPage'),
});

const responding = createRoute({
  getParentRoute: () => inside,
  path: '/respond',
  validateSearch: readRespondingAddress,
  component: lazyRouteComponent(() => import('./respond/Responding'), 'Responding'),
});

const everyCustody = createRoute({
  getParentRoute: () => inside,
  path: '/custody',
  validateSearch: readCustodyAddress,
  component: lazyRouteComponent(() => import('./custody/AllCases'), 'AllCases'),
});

const casePeople = createRoute({
  getParentRoute: () => oneCase,
  path: '/people',
  component: lazyRouteComponent(() => import('./people/CasePeople'), 'CasePeople'),
});

const people = createRoute({
  getParentRoute: () => inside,
  path: '/settings/people',
  component: lazyRouteComponent(() => import('./people/People'), 'People'),
});

const signInReturn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/return',
  component: lazyRouteComponent(() => import('./signin/Returned'), 'Returned'),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/Settings'), 'Settings'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    signInReturn,
    inside.addChildren([
      home,
      cases,
      oneCase.addChildren([overview, timeline, evidence, respond, run, custody, casePeople]),
      responding,
      everyCustody,
      settings,
      people,
    ]),
  ]),
  defaultPreload: 'intent',
  defaultPendingMinMs: 0,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
