/** The client that pages import: one project's socket, and the REST calls beside it. */
export type {
  Connection,
  ConnectionHandlers,
  ConnectionStatus,
  StatusDetail
} from './connection';
