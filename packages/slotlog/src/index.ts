// The package's API for programs. The command line is in `cli/`, its process in `bin.ts`.

export {};
