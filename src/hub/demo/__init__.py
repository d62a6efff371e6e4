"""The main job on bundled sandboxes: an invented company whose CRM, ERP and finance database are kept in agreement."""
