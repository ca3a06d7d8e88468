/** The client that pages import: one project's socket, and the REST calls beside it. */
export type { Connection, ConnectionHandlers, ConnectionStatus, StatusDetail } from './connection';
export type { EventPage, Predictions, RestClient, RestOptions, Row, UploadOptions } from './rest';
export { createRestClient, RestError } from './rest';
export type { SocketOptions } from './options';
export { bare, messageOf, textOf } from './sentences';
export type { Sentence, SentenceCode } from './sentences';
export { createWebSocketClient } from './socket';
export { isProjectId } from './urls';
export { versionNotice } from './version';
export { VERSION } from '../version';
