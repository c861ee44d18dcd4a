/** The package carries no types. */
declare module "cluster-key-slot" {
  const calculateSlot: (key: string | Uint8Array) => number;
  export default calculateSlot;
}
