/** Addresses of one server, whatever form its base URL was given in. */

/** A project id as the server takes it. */
const PROJECT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export interface Addresses {
  /** `http(s)://…/`, with the slash. */
  http: string;
  /** `ws(s)://…/`, with the slash. */
  ws: string;
}

/**
 * @param baseUrl `ws://`, `wss://`, `http://` or `https://` with the server's base path, or a path of this page's server.
 * @param page the page's own address, for a path.
 */
export function addresses(baseUrl: string, page?: string): Addresses {
  let url: URL;
  try {
    url = new URL(baseUrl, page);
  } catch {
    throw new TypeError(`baseUrl ${JSON.stringify(baseUrl)} is no address; give one such as "ws://localhost:8888".`);
  }
  const secure = { 'ws:': false, 'http:': false, 'wss:': true, 'https:': true }[url.protocol];
  if (secure === undefined) {
    throw new TypeError(`baseUrl ${JSON.stringify(baseUrl)} is no ws, wss, http or https address.`);
  }
  const rest = `${url.host}${url.pathname.replace(/\/*$/, '/')}`;
  return { http: `http${secure ? 's' : ''}://${rest}`, ws: `ws${secure ? 's' : ''}://${rest}` };
}

export function isProjectId(text: unknown): text is string {
  return typeof text === 'string' && PROJECT_ID.test(text);
}

/** Throws what would be right about a project id that the server would not take. */
export function checkProjectId(projectId: string): void {
  if (!isProjectId(projectId)) {
    throw new TypeError(
      `projectId ${JSON.stringify(projectId)} is none: it begins with a letter or digit and has at most 64 letters, digits, ".", "_" and "-".`
    );
  }
}

export interface SocketQuery {
  since?: number | null;
  epoch?: string | null;
  token?: string | null;
}

/** The address of a project's socket. */
export function socketUrl(base: Addresses, projectId: string, query: SocketQuery): string {
  const asked = new URLSearchParams();
  if (query.since !== undefined && query.since !== null) {
    asked.set('since', String(query.since));
    if (query.epoch) {
      asked.set('epoch', query.epoch);
    }
  }
  if (query.token) {
    asked.set('token', query.token);
  }
  const text = asked.toString();
  return `${base.ws}ws/projects/${encodeURIComponent(projectId)}${text ? `?${text}` : ''}`;
}
