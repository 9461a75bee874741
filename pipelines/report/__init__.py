"""Reports with pictures: pages, papers, drafts and appendices of a release, and its site."""
