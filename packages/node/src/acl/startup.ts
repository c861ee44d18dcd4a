/** Users at the start of a node: from the configuration's `user` lines, or from the ACL file. */
import { byteString, pathIn } from "../config/byte-string.js";
import type { Configuration } from "../config/config.js";
import type { Disk } from "../ports.js";
import type { AccessControl } from "./access-control.js";

/** Users that cannot be had as they are written; the node does not start without them. */
export class AclError extends Error {
  readonly code = "ACL";
}

export async function loadUsers(
  acl: AccessControl,
  configuration: Configuration,
  disk: Disk,
): Promise<void> {
  const { userLines, values } = configuration;
  if (values.aclfile !== "" && userLines.length > 0) {
    throw new AclError(
      "users are defined both in the configuration file and in an ACL file: use one of them",
    );
  }
  const error = acl.configure(userLines);
  if (error !== undefined) throw new AclError(error);
  if (values.aclfile === "") return;
  const path = pathIn(values.dir, values.aclfile);
  const content = await disk.readFile(path);
  if (content === undefined) {
    throw new AclError(`Error loading ACLs, opening file '${path}': No such file or directory`);
  }
  const errors = acl.load(content.toString("latin1"), byteString(path));
  if (errors !== undefined) throw new AclError(`ACL errors: ${errors}`);
}
