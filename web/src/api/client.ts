// SPDX-License-Identifier: Apache-2.0
import type { Problem, Received } from './contract';

/** An error of the API, with what a person needs: a sentence, advice and the id for the log. */
export class Failure extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.message || problem.title);
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

type Parameter = string | number | boolean | string[] | null | undefined;

/** The address of an API route: parts are encoded, empty parameters left out, lists repeated. */
export function address(
  parts: (string | number)[],
  parameters?: Record<string, Parameter>,
): string {
  const path = `/api/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (Array.isArray(value)) for (const each of value) query.append(name, each);
    else if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback: Problem = {
    title: response.statusText || 'The server did not answer properly',
    status: response.status,
    detail: '',
    request_id: response.headers.get('x-request-id') ?? undefined,
  };
  try {
    const body = (await response.json()) as Partial<Problem> & { detail?: unknown };
    const detail = typeof body.detail === 'string' ? body.detail : '';
    return { ...fallback, ...body, detail };
  } catch {
    return fallback;
  }
}

/** Bytes of an address that the server reads; it answers a longer one without a word of ours. */
const LONGEST = 60_000;

/** Asks the API. Throws `Failure` for every answer that is not a success, and for no answer. */
export async function ask<T>(
  method: string,
  where: string,
  options: { body?: unknown; signal?: AbortSignal; keepalive?: boolean } = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Locard'] = '1';
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (where.length > LONGEST) {
    throw new Failure({
      title: 'Too long to ask',
      status: 414,
      detail:
        'The query is too long to be sent: letters beyond ASCII take up to twelve bytes each.',
      advice: 'Make it shorter, or ask it with “locard search”.',
    });
  }
  let response: Response;
  try {
    response = await fetch(where, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      keepalive: options.keepalive,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Failure({
      title: 'No answer',
      status: 0,
      detail: 'The server did not answer.',
      advice: 'Check that “locard serve” is still running, then try again.',
    });
  }
  if (!response.ok) throw new Failure(await problemOf(response));
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export function get<T>(where: string, signal?: AbortSignal): Promise<T> {
  return ask<T>('GET', where, { signal });
}

export interface Upload {
  /** Resolves when the server holds all bytes; says whether it held them before. */
  done: Promise<boolean>;
  cancel: () => void;
}

/** Sends a file as the raw body of a request. XMLHttpRequest, because fetch shows no progress. */
export function upload(where: string, file: File, progress: (sent: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<boolean>((resolve, reject) => {
    request.open('POST', where);
    request.setRequestHeader('X-Locard', '1');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        return resolve((JSON.parse(request.responseText) as Received).known);
      }
      let problem: Problem = { title: request.statusText, status: request.status, detail: '' };
      try {
        problem = { ...problem, ...(JSON.parse(request.responseText) as Problem) };
      } catch {
        // Not a problem document: the status line has to do.
      }
      reject(new Failure(problem));
    };
    request.onerror = () =>
      reject(
        new Failure({
          title: 'Upload broken off',
          status: 0,
          detail:
            'The upload broke off: the server went away, or a file was changed or not readable.',
          advice: 'Add it again: nothing is added twice.',
        }),
      );
    request.onabort = () =>
      reject(new Failure({ title: 'Cancelled', status: 0, detail: 'The upload was cancelled.' }));
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}
