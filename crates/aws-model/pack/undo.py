def table(models, schemas, here):
    return ""
