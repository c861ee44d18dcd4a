/** The package brings no types. Only tests use it: nodes compute slots in `key-hash.ts`. */
declare module "cluster-key-slot" {
  function clusterKeySlot(key: string | Uint8Array): number;
  export default clusterKeySlot;
}
